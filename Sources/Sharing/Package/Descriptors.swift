import Glibc

/// Closes an open file; `close` alone would be found in a type that has a method of that name.
func closeFile(_ descriptor: Int32) { close(descriptor) }
