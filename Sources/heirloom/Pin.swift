import ArgumentParser
import Artifacts
import Execution
import JSONValues

/// `heirloom pin INSTANCE[.OUTPUT]` and `pin --run ID --name NAME`: what gc never touches.
struct PinCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pin",
    abstract: "Keep a result, or all that a run came to, whatever gc is asked to remove.",
    discussion: """
      pin INSTANCE[.OUTPUT]      keeps outputs as they are now, under that name or --name
      pin --run ID --name NAME   names a run: its results stay, and NAME stands for it wherever a run is asked for
      pin --list                 what is pinned
      """)

  @Argument(help: "INSTANCE or INSTANCE.OUTPUT: 'tuned[0.001].model'.") var what: String?
  @Option(help: "What the pin is called.") var name: String?
  @Flag(help: "List what is pinned.") var list = false
  @OptionGroup var which: RunChoiceArguments
  @Flag(help: "Print JSON.") var json = false

  func validate() throws {
    if list { return }
    if what == nil, name == nil || which.id == nil { throw ValidationError("say what to pin: INSTANCE[.OUTPUT], or --run ID --name NAME") }
  }

  func run() throws {
    _ = try which.store.existing()
    let queries = try which.queries()
    if list {
      let pins = try queries.store.pins()
      if json { return Terminal.say(JSONValue.array(pins.map(\.json)).encoded(pretty: true)) }
      for pin in pins { Terminal.say(pin.line) }
      return
    }
    let pin: Pin
    if let what {
      pin = try queries.pin(what, in: which.choice, name: name)
    } else {
      pin = try queries.pin(run: which.choice, name: name ?? "")
    }
    Terminal.say(json ? pin.json.encoded(pretty: true) : pin.line)
  }
}

/// `heirloom unpin NAME`.
struct Unpin: ParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Let gc remove what a pin kept, when nothing else needs it.")

  @Argument(help: "The pin's name.") var name: String
  @OptionGroup var store: StoreArguments

  func run() throws {
    _ = try store.existing()
    try StoreQueries(store.path()).unpin(name)
  }
}
