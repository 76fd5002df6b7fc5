import Diagnostics
import Hashing
import JSONValues

/// An axis of a matrix, or the variable of a scan, and the value an instance has on it.
package struct AxisValue: Sendable, Equatable {
  package let axis: String
  package let value: JSONValue

  package init(axis: String, value: JSONValue) { (self.axis, self.value) = (axis, value) }
}

/// Where one element of an input comes from.
package enum ElementSource: Sendable, Equatable {
  /// A source file or directory, absolute.
  case file(path: String)
  /// An output of the instance at that index of the graph.
  case output(instance: Int, output: String)
}

/// One element of an input, with the axis values of the instance it comes from: those of the groups around it first, from the outside in.
package struct InputElement: Sendable {
  package let source: ElementSource
  package let labels: [AxisValue]
  /// How the manifest names a source path (`./models/smollm2`); empty for an output.
  package let written: String

  package init(source: ElementSource, labels: [AxisValue] = [], written: String = "") {
    self.source = source
    self.labels = labels
    self.written = written
  }
}

/// An input of an instance: what is declared, and what is bound to it. A single input has one element; an absent optional one has none.
package struct InstanceInput: Sendable {
  package let declaration: InputDeclaration
  package let elements: [InputElement]

  package init(declaration: InputDeclaration, elements: [InputElement]) { (self.declaration, self.elements) = (declaration, elements) }
}

/// A stage after expansion: one point of its matrix, everything replaced and checked. It does not know whether it has to run.
package struct StageInstance: Sendable {
  /// Its place in the graph, where inputs come before their consumers.
  package let index: Int
  /// Its place in the order of the manifest.
  package let declarationIndex: Int
  /// `sft[2e-5]`; in groups, the path through them.
  package let name: String
  package let path: InstancePath
  /// All its axes, those of the groups around it first, from the outside in.
  package let axes: [AxisValue]
  package let contract: StageContract
  /// Complete, after defaults, in the contract's order.
  package let parameters: JSONObject
  /// One for each input the contract declares, in its order; absent optional ones have no elements.
  package let inputs: [InstanceInput]
  package let resources: Resources
  package let retries: Int
  package let timeoutSeconds: Double?
  /// What its entry or its contract says; nil leaves it to the manifest (`InstanceGraph.isHermetic`).
  package let hermetic: Hermetic?
  /// Outputs whose digest the manifest pins.
  package let expect: [(output: String, digest: Digest)]
  /// Who carries it out, as the manifest says; nil leaves it to whoever runs it. Not in its key.
  package let executor: String?
  /// Where the entry stands in the manifest.
  package let location: SourceLocation?

  package init(
    index: Int, declarationIndex: Int? = nil, name: String, path: InstancePath? = nil, axes: [AxisValue] = [],
    contract: StageContract, parameters: JSONObject = JSONObject(), inputs: [InstanceInput] = [], resources: Resources = Resources(),
    retries: Int = 0,
    timeoutSeconds: Double? = nil, hermetic: Hermetic? = nil, expect: [(output: String, digest: Digest)] = [],
    executor: String? = nil, location: SourceLocation? = nil
  ) {
    self.index = index
    self.declarationIndex = declarationIndex ?? index
    self.name = name
    self.path = path ?? InstancePath(stage: InstancePath.Segment(name: name))
    self.axes = axes
    self.contract = contract
    self.parameters = parameters
    self.inputs = inputs
    self.resources = resources
    self.retries = retries
    self.timeoutSeconds = timeoutSeconds
    self.hermetic = hermetic ?? contract.hermetic
    self.expect = expect
    self.executor = executor
    self.location = location
  }

  /// The entry it was expanded from: `sft`; in groups, `rft.train`.
  package var entry: String { path.entry }

  /// `train/sft`.
  package var stage: String { contract.name }

  /// What it gives: the contract's outputs but for those that its parameters do not ask for.
  package var outputs: [OutputDeclaration] { contract.outputs.filter { $0.isGiven(parameters) } }
}
