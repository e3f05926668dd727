"""Tables of measurements from CSV, TSV and XLSX: `measurements` reads and writes them.

`files` reads cells, `headers` finds the table among them, `columns` finds out what columns mean,
`decimals`, `limits` and `times` make plain numbers of cells, `rows` and `plates` make
measurements, and `problems` words what is wrong.
"""
