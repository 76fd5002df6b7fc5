/// The shape that a series has at its points, so that colour is not all that tells it apart.
enum Mark {
  /// Corners for a radius of 1; nil is a circle.
  private static let shapes: [[(Double, Double)]?] = [
    nil,
    [(-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)],
    [(0, -1.2), (1.15, 0.85), (-1.15, 0.85)],
    [(0, -1.3), (1.3, 0), (0, 1.3), (-1.3, 0)],
    [(0, 1.2), (1.15, -0.85), (-1.15, -0.85)],
    [
      (-0.4, -1.2), (0.4, -1.2), (0.4, -0.4), (1.2, -0.4), (1.2, 0.4), (0.4, 0.4), (0.4, 1.2), (-0.4, 1.2), (-0.4, 0.4), (-1.2, 0.4),
      (-1.2, -0.4), (-0.4, -0.4),
    ],
    [
      (-1.1, -0.6), (-0.6, -1.1), (0, -0.5), (0.6, -1.1), (1.1, -0.6), (0.5, 0), (1.1, 0.6), (0.6, 1.1), (0, 0.5), (-0.6, 1.1),
      (-1.1, 0.6), (-0.5, 0),
    ],
    [(0, -1.2), (1.05, -0.6), (1.05, 0.6), (0, 1.2), (-1.05, 0.6), (-1.05, -0.6)],
    [(-1.3, -0.55), (1.3, -0.55), (1.3, 0.55), (-1.3, 0.55)],
    [(-0.55, -1.3), (0.55, -1.3), (0.55, 1.3), (-0.55, 1.3)],
  ]

  /// Where a mark belongs in the data, for whoever reads the picture.
  struct Data {
    let series: Int
    let x: String
    let y: String
  }

  static func draw(_ series: Int, _ x: Double, _ y: Double, radius: Double = 4, _ data: Data, title: [String], _ writer: inout SVGWriter) {
    let name = "mark \(ChartStyle.seriesClass(series))"
    guard let corners = corners(series) else {
      return writer.add(
        "circle", ["class": name, "cx": x, "cy": y, "r": radius, "data-series": data.series, "data-x": data.x, "data-y": data.y],
        title: title)
    }
    writer.add(
      "path",
      ["class": name, "d": path(corners, x, y, radius), "data-series": data.series, "data-x": data.x, "data-y": data.y], title: title)
  }

  /// In a legend.
  static func swatch(_ series: Int, _ x: Double, _ y: Double, _ writer: inout SVGWriter) {
    let name = "mark \(ChartStyle.seriesClass(series))"
    if let corners = corners(series) {
      writer.add("path", ["class": name, "d": path(corners, x, y, 4)])
    } else {
      writer.add("circle", ["class": name, "cx": x, "cy": y, "r": 4])
    }
  }

  private static func corners(_ series: Int) -> [(Double, Double)]? { series < shapes.count ? shapes[series] : nil }

  private static func path(_ corners: [(Double, Double)], _ x: Double, _ y: Double, _ radius: Double) -> SVGPath {
    var path = SVGPath()
    for (place, corner) in corners.enumerated() {
      let (cornerX, cornerY) = (x + corner.0 * radius, y + corner.1 * radius)
      if place == 0 { path.move(cornerX, cornerY) } else { path.line(cornerX, cornerY) }
    }
    path.close()
    return path
  }
}
