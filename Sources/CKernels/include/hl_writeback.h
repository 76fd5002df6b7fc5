// The one call to the kernel that Swift's import of the C library lacks.
#ifndef HEIRLOOM_WRITEBACK_H
#define HEIRLOOM_WRITEBACK_H

// Asks for what is written of a file to go to the disk, and does not wait until it is there. Nothing where the system has no such call.
void hl_start_writeback(int descriptor);

#endif
