/// The class of kernels that arithmetic uses: the best for this CPU, or those whose bytes are the same on every x86-64-v3 machine.
package enum NumericsClass: String, CaseIterable, Sendable { case native, portable }
