import Diagnostics

/// A manifest that has been read, checked and expanded. It knows nothing of the store and of running.
package struct Recipe: Sendable {
  package let graph: InstanceGraph
  /// Absolute path of the manifest.
  package let path: String
  /// Its bytes, as they were read.
  package let manifest: SourceFile
  /// The nearest ancestor directory of the manifest that has `stages/`, else the manifest's own: home of `artifacts/`.
  package let projectDirectory: String
  /// What is allowed but doubtful.
  package let warnings: [Diagnostic]
}

/// Why a manifest is no recipe: every error found, sorted by place, warnings among them.
package struct InvalidRecipe: Error, Sendable {
  package let diagnostics: [Diagnostic]
}

/// What the command line says about a recipe.
package struct RecipeOptions: Sendable {
  /// `params.seed=3` or `seed=3`, in order.
  package var sets: [String]
  package var profile: String?
  /// Overrides the manifest's.
  package var numerics: NumericsClass?

  package init(sets: [String] = [], profile: String? = nil, numerics: NumericsClass? = nil) {
    self.sets = sets
    self.profile = profile
    self.numerics = numerics
  }
}
