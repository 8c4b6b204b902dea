"""Two databases, equal for one tenant and different for another, must answer that tenant's statements alike."""
