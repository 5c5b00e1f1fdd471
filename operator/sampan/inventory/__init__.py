"""What a member has, what is in use there, and the pools that follow: values in, values out. No watch, no clock, no API call."""
