"""Who competes and in what order: waiting jobs as queues, what makes them equivalent, what their queues used. Nothing about places."""
