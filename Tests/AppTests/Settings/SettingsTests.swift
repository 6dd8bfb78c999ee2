import ControlPlane
import DataPlane
import FleetTracking
import JobStores
import SchedulerRuntime
import Testing

@testable import App

@Suite struct SettingsTests {
    private func sources(
        _ yaml: String?, environment: [String: String] = [:], flags: [SettingsSources.Flag] = []
    ) -> SettingsSources {
        SettingsSources(
            file: yaml == nil ? nil : "neap.yaml", environment: environment, flags: flags, cores: 4,
            readFile: { path in
                switch path {
                case "neap.yaml": .success(yaml ?? "")
                case "token": .success("secret-token\n")
                default: .failure(FileFault(reason: "no such file"))
                }
            })
    }

    private func faults(_ yaml: String) -> [String] {
        do {
            _ = try sources(yaml).load()
            return []
        } catch {
            return error.faults.map(\.text)
        }
    }

    private let onePool = "pools: [{name: main, endpoints: [{url: 'http://h:1'}]}]\n"

    @Test func everySettingHasADefault() throws {
        let settings = try sources(onePool).load()
        #expect(settings.port == 8080)
        #expect(settings.host == "127.0.0.1")
        #expect(settings.eventLoops == 4)
        #expect(settings.accessLog == .standardOutput)
        #expect(settings.traceLog == nil)
        #expect(settings.watch.scrapeInterval == .seconds(1))
        #expect(settings.pools.map(\.name) == ["main"])
        #expect(settings.pools[0].allowedPaths.contains("/v1/chat/completions"))
    }

    @Test func flagsStandAboveTheEnvironmentAndThatAboveTheFile() throws {
        let yaml = "listen: {port: 1}\nwatch: {scrape-interval: 100ms}\n" + onePool
        let port = SettingsSources.Flag(name: "--port", descriptor: ProcessSettings.port.descriptor, texts: ["3"])
        #expect(try sources(yaml).load().port == 1)
        #expect(try sources(yaml, environment: ["NEAP_LISTEN_PORT": "2"]).load().port == 2)
        let all = try sources(yaml, environment: ["NEAP_LISTEN_PORT": "2"], flags: [port]).load()
        #expect(all.port == 3)
        #expect(all.watch.scrapeInterval == .milliseconds(100))
    }

    @Test func enginesMakeOnePoolAndReplaceThoseOfTheFile() throws {
        let engines = SettingsSources.Flag(
            name: "--engine", descriptor: PoolCatalogue.engines.descriptor, texts: ["http://a:1/", "https://b/x"])
        let settings = try sources(onePool, flags: [engines]).load()
        #expect(settings.pools.map(\.name) == ["default"])
        #expect(settings.pools[0].endpoints.map(\.url) == ["http://a:1", "https://b/x"])
        #expect(settings.pools[0].endpoints[1].port == 443)
        #expect(settings.pools[0].endpoints[1].pathPrefix == "/x")
        #expect(settings.pools[0].endpoints[1].tls == EngineTLS())
    }

    @Test func everyFaultIsToldWithItsPlace() {
        let yaml = """
            listen:
              prot: 80
              port: http
            pools:
              - name: a
                endpoints:
                  - url: htp://x
                  - max-sequences: 1
              - name: a
            """
        #expect(
            faults(yaml).map { $0.prefix(while: { $0 != "," }) } == [
                "neap.yaml:2:3: listen.prot: found an unknown key",
                "neap.yaml:3:9: listen.port: found \"http\"",
                "neap.yaml:7:14: pools[0].endpoints[0].url: found \"htp://x\"",
                "neap.yaml:8:9: pools[0].endpoints[1].url: found nothing",
                "neap.yaml:9:11: pools[1].name: found \"a\" again",
            ])
        #expect(faults(yaml)[0].contains("did you mean `port`?"))
    }

    @Test(arguments: [
        ("listen: {port: 1, port: 2}", "twice"), ("listen: [1]", "a list"), ("listen: {port: [1]}", "a list"),
        ("listen: {port: -1}", "\"-1\""), ("watch: {scrape-interval: 5}", "\"5\""), ("pools: 3", "\"3\""),
        ("a: [", "YAML"), ("listen: {host: 0.0.0.0}\n", "without keys"), ("", "no engine"),
        ("listen: {tls-key: k}\n", "only one of the two"),
        ("engines: [http://a]\npools: [{name: b}]", "one of the two"),
        ("pools: [{name: a, models: [m]}, {name: b, models: [m]}]", "which pool a has too"),
        ("pools: [{name: a, endpoints: [{url: http://h, credential-env: NOT_SET}]}]", "not set"),
        ("pools: [{name: a, endpoints: [{url: http://h, ca-file: ca.pem}]}]", "https"),
        ("pools: [{name: 'a b'}]", "letters"),
        ("a:\n  b:\n   - {c: [[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]}", "unknown"),
    ])
    func wrongFilesAreRefused(yaml: String, hint: String) {
        let found = faults(yaml)
        #expect(found.contains { $0.contains(hint) }, "\(found)")
    }

    /// What is kept in one buffer, which holds less than 4 GiB.
    @Test(arguments: [
        "limits.url", "limits.header-line", "limits.head", "limits.engine-head", "limits.body", "jobs.line",
    ])
    func whatOneBufferCannotHoldIsRefused(_ name: String) {
        let (group, key) = (name.prefix { $0 != "." }, name.drop { $0 != "." }.dropFirst())
        func found(_ size: String) -> [String] { faults("engines: ['http://h:1']\n\(group): {\(key): \(size)}\n") }
        #expect(found("2GiB") == [])
        #expect(found("3GiB").first?.contains("to 2GiB") == true)
    }

    @Test func credentialsComeFromVariablesAndFiles() throws {
        let yaml = """
            pools:
              - name: a
                endpoints:
                  - {url: "http://h:1", credential-env: TOKEN}
                  - {url: "http://h:2", credential-file: token, max-sequences: 7}
            """
        let endpoints = try sources(yaml, environment: ["TOKEN": "abc"]).load().pools[0].endpoints
        #expect(endpoints.map(\.authorization) == ["Bearer abc", "Bearer secret-token"])
        #expect(endpoints.map(\.maximumSequences) == [nil, 7])
        #expect(throws: SettingsFaults.self) { try sources(yaml, environment: ["TOKEN": "a\r\nx: y"]).load() }
    }

    @Test func theControlBodyFollowsTheFileSize() throws {
        let plain = try sources(onePool).load()
        #expect(plain.relay.controlBodyBytes == 512 << 20)
        let large = try sources("files: {size: 2GiB}\n" + onePool).load()
        #expect(large.store.fileBytes == 2 << 30)
        #expect(large.relay.controlBodyBytes == 2 << 30 + large.control.formOverheadBytes)
        let wide = try sources("files: {size: 1MiB}\nlimits: {control-body: 3MiB}\n" + onePool).load()
        #expect(wide.relay.controlBodyBytes == 3 << 20)
        let found = faults("files:\n  size: 1GiB\nlimits:\n  control-body: 1GiB\n" + onePool)
        #expect(found.count == 1)
        #expect(found.first?.hasPrefix("neap.yaml:4:17: limits.control-body: found 1073741824 bytes") == true)
        #expect(found.first?.contains("files.size") == true)
    }

    @Test func aReloadMayNotChangeThePools() throws {
        let running = try sources("pools: [{name: a}, {name: b}]\n").load()
        func refusal(_ yaml: String) throws -> SettingsFault? {
            GatewayReload.refusal(from: running, to: try sources(yaml).load())
        }
        #expect(try refusal("pools: [{name: b}, {name: a, endpoints: [{url: 'http://h:1'}]}]") == nil)
        let renamed = try #require(try refusal("pools:\n  - name: a\n  - name: c\n"))
        #expect(renamed.text.hasPrefix("neap.yaml:3:11: pools[1].name: found \"c\""))
        #expect(renamed.allowed.contains("a, b") && renamed.allowed.contains("restart"))
        let removed = try #require(try refusal("pools: [{name: a}]"))
        #expect(removed.text.contains("no pool \"b\""))
        #expect(removed.allowed.contains("restart"))
        #expect(try refusal("engines: ['http://h:1']") != nil)
    }

    @Test func theExampleFileIsValidAndSaysNothingButDefaults() throws {
        let example = try sources(SettingsExample.yaml(Settings.descriptors)).load()
        let plain = try sources("pools: [{name: main, endpoints: [{url: http://127.0.0.1:8000}]}]").load()
        #expect(example.port == plain.port)
        #expect(example.pools.map(\.endpoints) == plain.pools.map(\.endpoints))
    }

    @Test func everyDefaultInTheReferenceIsAllowed() {
        for descriptor in Settings.descriptors where !descriptor.isList && !descriptor.isRequired {
            #expect(descriptor.parse(descriptor.defaultText) != nil, "\(descriptor.key)")
        }
        let keys = Settings.descriptors.map(\.key)
        #expect(Set(keys).count == keys.count)
    }

    /// Whatever a setting is, a changed one is taken over by a reload or named as one that needs a restart.
    @Test func everyChangedSettingThatIsReadAtTheStartIsNamed() throws {
        let texts = [
            "7", "3", "300", "70ms", "7s", "0.3", "true", "false", "7KiB", "70MiB", "debug", "other", "127.0.0.9",
        ]
        let running = try sources(onePool).load()
        #expect(GatewayReload.needRestart(from: running, to: running).isEmpty)
        var named = 0
        for descriptor in Settings.descriptors where !descriptor.key.hasPrefix("pools") {
            let parts = descriptor.key.split(separator: ".")
            for text in texts where descriptor.parse(text) != nil && text != descriptor.defaultText {
                // Some need others beside them, or files.
                let yaml = onePool + "\(parts[0]):\n  \(parts[1]): \"\(text)\"\n"
                guard let wanted = try? sources(yaml).load() else { continue }
                #expect(
                    GatewayReload.needRestart(from: running, to: wanted).contains(descriptor.key), "\(descriptor.key)")
                named += 1
                break
            }
        }
        #expect(named > 80, "\(named) of \(Settings.descriptors.count)")
    }
}
