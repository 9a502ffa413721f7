#!/usr/lib/healthd/bin/python3 -I
from healthd.cli import main

main()
