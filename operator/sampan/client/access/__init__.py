"""How the command line reaches a hub, and who its user is there."""
