"""The reference of blocks: a page each, made from the block's own class."""

from lumeflow.reference.docstring import Docstring
from lumeflow.reference.folder import Written, pages_of, write_pages
from lumeflow.reference.page import meant_by, page
from lumeflow.reference.workflows import blocks_of, used_in

__all__ = ["Docstring", "Written", "blocks_of", "meant_by", "page", "pages_of", "used_in", "write_pages"]
