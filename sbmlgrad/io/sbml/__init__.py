"""SBML: reader, writer, annotation, and the check that stands before both."""
