"""Steps that change one record: what `transform/fields` applies in order. One kind of step a file."""
