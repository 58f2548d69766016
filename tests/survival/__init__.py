"""What must survive: sudden ends, failing vendors, full disks, bad input. Real processes, real HTTP, exact bills."""
