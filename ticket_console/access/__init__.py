"""Users, sessions, roles, grants, API tokens; what a viewer may do (`policy`) and may see (`projection`)."""
