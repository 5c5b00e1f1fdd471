"""What a cell is to a demand apart from room: filters, their words and scores. No amounts that change with each start."""
