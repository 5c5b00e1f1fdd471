"""The shell: asyncio and Kopf around the pure core. It watches, asks the core, acts, and mirrors."""
