"""`sampan uninstall`: what has to be done on a hub before `helm uninstall` leaves nothing behind."""
