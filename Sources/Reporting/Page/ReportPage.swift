/// A run as one file of HTML.
extension RunReport {
  /// In the order in which they are read; what a run has nothing for is not there.
  package var sections: [PageSection] {
    [
      overviewSection, problemsSection, graphSection, forgettingSection, scoresSection, paretoSection, trainingSection, rolloutSection,
      tokenSection, answersSection, dataSection, timelineSection, instancesSection, lineageSection, notesSection,
    ].compactMap(\.self)
  }

  /// The whole page.
  package var page: String { shell.html }

  /// The page, to which whoever serves it may add.
  package var shell: PageShell {
    var shell = PageShell(title: overview.recipe)
    shell.header = HTMLFragment { html in
      html.element("p", ["class": "run"]) { html in
        html.element("span", ["class": "badge \(overview.standing)"], overview.standing)
        html.say(" ")
        html.element("code", overview.id)
      }
    }
    shell.add(sections)
    return shell
  }
}
