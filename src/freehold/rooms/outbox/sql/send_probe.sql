SELECT freehold.send_v1('freehold probe', 'k', '{}')
