"""What a release publishes: the image, the charts, the wheel, their checksums. Never here: what a running hub or member needs."""
