"""What a member says of one copy: its Job and its pods, read into values that know no link, no hub and no other job."""
