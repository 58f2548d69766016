"""What any storage must do, whatever database it uses: suites over the ports.

A backend's test module subclasses each suite and provides the fixture `storage`, an open `Database` on an empty database.
"""
