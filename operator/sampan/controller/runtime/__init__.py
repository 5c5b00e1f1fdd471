"""What any operator needs: settings, logs, metrics, health, work queues."""
