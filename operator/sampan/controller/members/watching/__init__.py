"""What is followed of one member: which watches there are, where each puts what it hears, and how well they do."""
