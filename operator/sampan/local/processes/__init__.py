"""Programs of a federation as processes of this machine: started, found, ended."""
