"""One job from where it is to where it should be: decide what is next, do it, look again."""
