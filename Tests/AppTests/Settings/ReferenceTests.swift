import Foundation
import Testing

@testable import App

@Suite struct ReferenceTests {
    @Test func theCommittedReferenceIsWhatTheProgramSays() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        let committed = try String(contentsOf: root.appending(path: "docs/configuration.md"), encoding: .utf8)
        #expect(
            committed == SettingsReference.markdown(Settings.descriptors),
            "run `neap config reference > docs/configuration.md`")
    }
}
