import Diagnostics
import Manifests

/// What is said about a site profile. One message a cause.
enum SiteText {
  static func expected(_ expected: String, for what: String, found: Node) -> String {
    ManifestText.expected(expected, for: what, found: found)
  }
  static func executor(_ found: String) -> String { "executor is 'local' or 'slurm', found '\(Scalar.shortened(found))'" }
  static func word(_ key: String, _ found: String) -> String {
    "'\(key)' is one word without blanks that does not begin with '-', found '\(Scalar.shortened(found))'"
  }
  static func gpus(_ found: String) -> String {
    "'gpus' is --gres=gpu, --gres=gpu:TYPE, --gpus, --gpus=TYPE or --gpus-per-node (the number is appended), found '\(Scalar.shortened(found))'"
  }
  static let scratch =
    "'scratch' is an absolute path, or one that begins with a variable of the node; it is made of letters, digits, '_', '-', '.', '/' and $NAME"
  static let memory = "'memory' is an amount such as 8GiB"
  static func time(_ key: String) -> String { "'\(key)' is a time such as 4h or 90s" }
  static let program = "'program' is an absolute path"
  static func variable(_ name: String) -> String { "'\(Scalar.shortened(name))' is no name of a variable" }
  static func ownVariable(_ name: String) -> String { "'\(name)' is set by the job itself" }
  static let line = "a line of 'setup' holds no line break and no NUL"
  static func flag(_ found: String) -> String {
    "an element of 'extra' is one option of sbatch, written --name or --name=value, found '\(Scalar.shortened(found))'"
  }
  static func own(_ flag: String, _ instead: String) -> String { "'--\(flag)' cannot stand in 'extra': \(instead)" }
  static func shortened(_ flag: String, _ whole: String) -> String { "'--\(flag)' is short for '--\(whole)'; write options in full" }
  static func unknownSite(_ name: String, _ path: String) -> String { "there is no site '\(name)': \(path) does not exist" }
  static func badName(_ name: String) -> String {
    "'\(Scalar.shortened(name))' is no name of a site; names are made of letters, digits, '_', '-' and '.'"
  }
  static func unreadable(_ reason: String) -> String { "cannot read the site: \(reason)" }
}
