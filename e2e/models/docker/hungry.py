"""Takes as many MiB as it is asked to, and keeps them."""

_kept = []


def take(inputs):
    for row in inputs:
        # Filled with something, or the kernel would not give it a page.
        _kept.append(bytearray(b"x") * (int(row[0]) << 20))
    return [str(int(row[0])) for row in inputs]
