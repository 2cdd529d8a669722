"""Who may do what: roles, mandates, approvals, broken glass, and who may be reached at an hour."""
