"""The vendors, one file each: what may be asked, how answers are judged, what they cost, how often one may ask."""
