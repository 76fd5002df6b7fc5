import Artifacts

/// Removes a file behind the store's back.
func unlinkFile(_ path: String) -> Void? { try? FileSystem.posix.remove(path) }
