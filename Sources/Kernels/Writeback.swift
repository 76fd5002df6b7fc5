import CKernels

/// Writing to a disk while there is still something to compute.
package enum Writeback {
  /// Asks for what is written of a file so far to go to the disk, without waiting until it is there: a sync at the end then has less left to
  /// do. Whether it arrives is for that sync to say.
  package static func start(_ descriptor: Int32) { hl_start_writeback(descriptor) }
}
