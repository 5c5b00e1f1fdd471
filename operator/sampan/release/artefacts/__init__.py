"""What a release has beside the image: charts, the plugin of kubectl, notes, checksums. Never here: how the image is built."""
