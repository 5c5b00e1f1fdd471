"""What is counted of jobs for whoever watches over a hub: kept up at each change, never gone through."""
