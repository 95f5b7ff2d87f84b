"""Doubles of AWS's services on loopback, all of which are in one region."""

REGION = "eu-central-1"
