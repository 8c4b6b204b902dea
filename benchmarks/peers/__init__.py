"""A Django application whose one purpose is to have django-pghistory make its triggers for the comparison."""
