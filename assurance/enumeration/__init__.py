"""Can anybody tell from `/login/begin` who is registered? (attacks.md D1 and D2)"""
