import Testing

@testable import App

@Suite struct ValueTextTests {
    @Test(arguments: [
        ("150ms", Duration.milliseconds(150)), ("30s", .seconds(30)), ("5m", .seconds(300)), ("24h", .seconds(86_400)),
        ("1.5s", .milliseconds(1500)), ("0s", .zero), ("2d", .seconds(172_800)),
    ])
    func timesAreRead(text: String, expected: Duration) {
        #expect(DurationText.parse(text) == expected)
        #expect(DurationText.parse(DurationText.render(expected)) == expected)
    }

    @Test(arguments: ["", "5", "s", "-1s", "1 s", "1x", "9999999999999h", "1e99s", "nans", "infs", "+1s"])
    func otherTextIsNoTime(text: String) { #expect(DurationText.parse(text) == nil) }

    @Test(arguments: [("64KiB", 65_536), ("32MiB", 33_554_432), ("1GB", 1_000_000_000), ("7B", 7), ("12", 12)])
    func sizesAreRead(text: String, expected: Int) {
        #expect(SizeText.parse(text) == expected)
        #expect(SizeText.parse(SizeText.render(expected)) == expected)
    }

    @Test(arguments: ["", "MiB", "-1B", "1.5MiB", "9999999999999GiB", "1 KB", "1kb"])
    func otherTextIsNoSize(text: String) { #expect(SizeText.parse(text) == nil) }
}
