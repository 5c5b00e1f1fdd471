"""What nodes and limits can give: tables of what is free, fits per cell, and the nodes that a demand takes. Nobody's turn here."""
