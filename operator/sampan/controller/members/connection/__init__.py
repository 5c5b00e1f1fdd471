"""One connection of a member link: who answers, what we may do there, the watches, new credentials."""
