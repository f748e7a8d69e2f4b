"""What flows: rows, the Arrow schema, languages and locales, taxonomies, scores, reasons."""
