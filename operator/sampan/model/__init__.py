"""The words of Sampan: frozen values without any I/O. Imports nothing of the package but itself."""
