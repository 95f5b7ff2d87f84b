"""From a file on a disk or in the inbox to a registered upload."""
