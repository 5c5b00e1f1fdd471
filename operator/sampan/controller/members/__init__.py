"""Links to members: kubeconfigs, sessions, rights, watches, and what they keep of a member."""
