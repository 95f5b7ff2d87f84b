"""The stack on AWS: made, changed and deleted by CloudFormation; its outputs become settings."""
