"""A job's life: where it stands, the rules of each stage, what each rule does, and the page that shows them. Pure but for the page."""
