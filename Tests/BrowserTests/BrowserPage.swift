import Foundation
import JSONValues

/// One page in a browser: opens addresses, runs expressions, clicks and types as a person does, and keeps what the page complained of.
final class BrowserPage: @unchecked Sendable {
  /// What went wrong or was asked for since the page was opened.
  struct Record: Sendable {
    /// Errors and warnings of scripts, of the console and of the browser itself, such as what a policy refused.
    var complaints: [String] = []
    /// Addresses, in order.
    var requests: [String] = []
  }

  let browser: Chromium
  private let session: String
  private var log = Record()

  /// - Parameter size: of the window, in CSS pixels.
  init(_ browser: Chromium, size: (width: Int, height: Int) = (1440, 900)) async throws {
    self.browser = browser
    let target = try await browser.call("Target.createTarget", ["url": "about:blank"])
    let attached = try await browser.call("Target.attachToTarget", ["targetId": target["targetId"] ?? .null, "flatten": true])
    session = attached["sessionId"]?.stringValue ?? ""
    for domain in ["Page", "Runtime", "Log", "Network"] { try await call("\(domain).enable") }
    try await resize(size)
  }

  @discardableResult func call(_ method: String, _ parameters: JSONValue = [:]) async throws -> JSONValue {
    try await browser.call(method, parameters, session: session)
  }

  func resize(_ size: (width: Int, height: Int)) async throws {
    try await call(
      "Emulation.setDeviceMetricsOverride",
      ["width": .integer(size.width), "height": .integer(size.height), "deviceScaleFactor": 1, "mobile": false])
  }

  /// Until the page's load event.
  func open(_ address: String) async throws {
    collect()
    log = Record()
    let answer = try await call("Page.navigate", ["url": .string(address)])
    if let error = answer["errorText"]?.stringValue { throw Chromium.Failure.refused("Page.navigate", error) }
    try await wait("document.readyState === 'complete'")
  }

  var record: Record {
    collect()
    return log
  }

  // MARK: - Looking

  /// The value of an expression, awaited where it is a promise; throws what it throws.
  @discardableResult func evaluate(_ expression: String) async throws -> JSONValue {
    let answer = try await call(
      "Runtime.evaluate",
      ["expression": .string(expression), "returnByValue": true, "awaitPromise": true, "userGesture": true])
    if let thrown = answer["exceptionDetails"] {
      throw Chromium.Failure.refused(expression, thrown["exception"]?["description"]?.stringValue ?? thrown.encoded())
    }
    return answer["result"]?["value"] ?? .null
  }

  /// Until an expression is true: the page itself looks again and again.
  func wait(_ expression: String, seconds: Double = 60) async throws {
    try await evaluate(
      """
      new Promise((done, fail) => {
        const end = performance.now() + \(seconds * 1000);
        const look = () => {
          if (\(expression)) done(true);
          else if (performance.now() > end) fail(new Error("waited too long"));
          else setTimeout(look, 10);
        };
        look();
      })
      """)
  }

  func text(_ selector: String) async throws -> String {
    try await evaluate("document.querySelector(\(Self.quoted(selector)))?.textContent ?? ''").stringValue ?? ""
  }

  func count(_ selector: String) async throws -> Int {
    try await evaluate("document.querySelectorAll(\(Self.quoted(selector))).length").integerValue ?? 0
  }

  /// A PNG of what is in the window.
  func screenshot() async throws -> [UInt8] {
    let answer = try await call("Page.captureScreenshot", ["format": "png"])
    return Data(base64Encoded: answer["data"]?.stringValue ?? "").map(Array.init) ?? []
  }

  // MARK: - Acting

  /// With the mouse, on the middle of the first element of a selector, or of what an expression gives.
  func click(_ selector: String) async throws { try await click(on: "document.querySelector(\(Self.quoted(selector)))") }

  func click(on expression: String) async throws {
    let place = try await evaluate(
      """
      (async () => {
        const element = \(expression);
        if (!element) throw new Error("there is no such element");
        // A page that is still drawing moves what is on it: the place counts that stays, and that is the element's.
        let last = [NaN, NaN];
        for (let look = 0; look < 300; look += 1) {
          element.scrollIntoView({block: "center", inline: "center", behavior: "instant"});
          await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
          const box = element.getBoundingClientRect(), place = [box.left + box.width / 2, box.top + box.height / 2];
          const found = document.elementFromPoint(place[0], place[1]);
          if (place[0] === last[0] && place[1] === last[1] && found && (element.contains(found) || found.contains(element))) return place;
          last = place;
        }
        throw new Error("it does not stay in its place, or something lies on it");
      })()
      """)
    for kind in ["mouseMoved", "mousePressed", "mouseReleased"] {
      try await call(
        "Input.dispatchMouseEvent",
        ["type": .string(kind), "x": place[0] ?? 0, "y": place[1] ?? 0, "button": kind == "mouseMoved" ? "none" : "left", "clickCount": 1])
    }
  }

  /// Moves the mouse to a share of an element's width and height.
  func point(_ selector: String, x: Double = 0.5, y: Double = 0.5) async throws {
    let box = try await evaluate(
      """
      (async () => {
        const element = document.querySelector(\(Self.quoted(selector)));
        element.scrollIntoView({block: "center", behavior: "instant"});
        await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
        const box = element.getBoundingClientRect();
        return [box.left + box.width * \(x), box.top + box.height * \(y)];
      })()
      """)
    try await call("Input.dispatchMouseEvent", ["type": "mouseMoved", "x": box[0] ?? 0, "y": box[1] ?? 0])
  }

  /// Into what has the focus.
  func type(_ text: String) async throws { try await call("Input.insertText", ["text": .string(text)]) }

  /// A key that types nothing: `Tab`, `Enter`, `ArrowRight`, `Escape`.
  func press(_ key: String) async throws {
    let codes = ["Tab": 9, "Enter": 13, "Escape": 27, "ArrowLeft": 37, "ArrowRight": 39]
    for kind in ["keyDown", "keyUp"] {
      try await call(
        "Input.dispatchKeyEvent",
        [
          "type": .string(kind), "key": .string(key), "code": .string(key), "windowsVirtualKeyCode": .integer(codes[key] ?? 0),
          "text": key == "Enter" && kind == "keyDown" ? "\r" : "",
        ])
    }
  }

  /// Where downloads go; named as the page names them.
  func saveDownloads(to directory: String) async throws {
    _ = try await browser.call("Browser.setDownloadBehavior", ["behavior": "allow", "downloadPath": .string(directory)])
  }

  static func quoted(_ text: String) -> String { JSONValue.string(text).encoded() }

  // MARK: - What the page said

  private func collect() {
    for event in browser.takeEvents(session) {
      let parameters = event.parameters
      switch event.method {
      case "Runtime.exceptionThrown":
        let details = parameters["exceptionDetails"]
        log.complaints.append(details?["exception"]?["description"]?.stringValue ?? details?["text"]?.stringValue ?? "an exception")
      case "Runtime.consoleAPICalled":
        let type = parameters["type"]?.stringValue ?? ""
        guard ["error", "warning", "assert"].contains(type) else { continue }
        let words = (parameters["args"]?.arrayValue ?? []).map { $0["value"]?.stringValue ?? $0["description"]?.stringValue ?? "" }
        log.complaints.append("console.\(type): " + words.joined(separator: " "))
      case "Log.entryAdded":
        let entry = parameters["entry"]
        log.complaints.append("\(entry?["level"]?.stringValue ?? ""): \(entry?["text"]?.stringValue ?? "")")
      case "Network.requestWillBeSent": log.requests.append(parameters["request"]?["url"]?.stringValue ?? "")
      default: break
      }
    }
  }
}
