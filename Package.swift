// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .treatAllWarnings(as: .error),
]

/// A room of the core ring: pure values, no input or output. Depends on core rooms only.
func core(_ name: String, _ rooms: [String] = []) -> Target {
    .target(name: name, dependencies: rooms.map { .init(stringLiteral: $0) }, swiftSettings: strict)
}

/// A room of the adapter ring, or the executable: one kind of input and output.
func adapter(_ name: String, _ rooms: [String], _ products: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: rooms.map { .init(stringLiteral: $0) } + products, swiftSettings: strict)
}

/// The tests of one room.
func tests(_ name: String, _ rooms: [String], _ products: [Target.Dependency] = []) -> Target {
    .testTarget(name: name, dependencies: rooms.map { .init(stringLiteral: $0) } + products, swiftSettings: strict)
}

let nioCore = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioPosix = Target.Dependency.product(name: "NIOPosix", package: "swift-nio")
let nioHTTP1 = Target.Dependency.product(name: "NIOHTTP1", package: "swift-nio")
let nioEmbedded = Target.Dependency.product(name: "NIOEmbedded", package: "swift-nio")
let nioTLS = Target.Dependency.product(name: "NIOTLS", package: "swift-nio")
let nioConcurrency = Target.Dependency.product(name: "NIOConcurrencyHelpers", package: "swift-nio")
let nioSSL = Target.Dependency.product(name: "NIOSSL", package: "swift-nio-ssl")
let hummingbird = Target.Dependency.product(name: "Hummingbird", package: "hummingbird")
let grdb = Target.Dependency.product(name: "GRDB", package: "GRDB.swift")
let yams = Target.Dependency.product(name: "Yams", package: "Yams")
let arguments = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let lifecycle = Target.Dependency.product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let unixSignals = Target.Dependency.product(name: "UnixSignals", package: "swift-service-lifecycle")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let httpTypes = Target.Dependency.product(name: "HTTPTypes", package: "swift-http-types")

let package = Package(
    name: "neap",
    products: [.executable(name: "neap", targets: ["App"])],
    dependencies: [
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    ],
    targets: [
        core("FleetTracking"),
        core("EndpointPicking", ["FleetTracking"]),
        core("FlowControl", ["FleetTracking"]),
        core("JobLifecycle", ["FleetTracking"]),
        core("Scheduling", ["FleetTracking", "EndpointPicking", "FlowControl", "JobLifecycle"]),
        core("EngineModel"),
        core("WireFormats"),
        core(
            "Simulation",
            ["FleetTracking", "EndpointPicking", "FlowControl", "Scheduling", "EngineModel", "WireFormats"]),
        adapter("JobStores", ["FleetTracking", "JobLifecycle", "WireFormats"], [grdb]),
        adapter(
            "SchedulerRuntime",
            [
                "FleetTracking", "EndpointPicking", "FlowControl", "JobLifecycle", "Scheduling", "WireFormats",
                "JobStores",
            ],
            [nioCore, nioPosix, nioHTTP1, nioSSL, lifecycle, logging]),
        adapter(
            "DataPlane", ["FleetTracking", "FlowControl", "Scheduling", "WireFormats", "SchedulerRuntime"],
            [nioCore, nioPosix, nioTLS, nioSSL, lifecycle, logging, crypto]),
        adapter(
            "JobDispatching",
            [
                "FleetTracking", "FlowControl", "JobLifecycle", "Scheduling", "WireFormats", "JobStores",
                "SchedulerRuntime", "DataPlane",
            ],
            [nioCore, lifecycle, logging]),
        adapter(
            "ControlPlane",
            [
                "FleetTracking", "FlowControl", "JobLifecycle", "Scheduling", "WireFormats", "SchedulerRuntime",
                "DataPlane", "JobStores", "JobDispatching",
            ],
            [nioCore, hummingbird, httpTypes, lifecycle, logging, crypto]),
        .executableTarget(
            name: "App",
            dependencies: [
                "FleetTracking", "EndpointPicking", "FlowControl", "JobLifecycle", "Scheduling", "EngineModel",
                "Simulation", "WireFormats", "JobStores", "SchedulerRuntime", "DataPlane", "JobDispatching",
                "ControlPlane",
                nioCore, nioPosix, nioHTTP1, nioSSL, yams, arguments, lifecycle, unixSignals, logging, crypto,
            ],
            swiftSettings: strict),
        tests("FleetTrackingTests", ["FleetTracking"]),
        tests("EndpointPickingTests", ["EndpointPicking", "FleetTracking"]),
        tests("FlowControlTests", ["FlowControl", "FleetTracking"]),
        tests("JobLifecycleTests", ["JobLifecycle", "FleetTracking"]),
        tests(
            "SchedulingTests",
            ["Scheduling", "EndpointPicking", "FlowControl", "JobLifecycle", "FleetTracking", "EngineModel"]),
        tests("EngineModelTests", ["EngineModel"]),
        tests("SimulationTests", ["Simulation", "Scheduling", "EndpointPicking", "EngineModel", "FleetTracking"]),
        tests("WireFormatsTests", ["WireFormats"]),
        tests("JobStoresTests", ["JobStores", "JobLifecycle", "FleetTracking", "WireFormats"]),
        tests(
            "SchedulerRuntimeTests",
            ["SchedulerRuntime", "Scheduling", "FlowControl", "FleetTracking", "EndpointPicking", "WireFormats"],
            [nioCore, nioPosix, nioEmbedded, nioHTTP1, lifecycle, logging]),
        tests(
            "DataPlaneTests",
            ["DataPlane", "SchedulerRuntime", "Scheduling", "FlowControl", "FleetTracking", "WireFormats"],
            [nioCore, nioPosix, nioEmbedded, nioSSL, lifecycle, logging, crypto]),
        tests(
            "JobDispatchingTests",
            [
                "JobDispatching", "JobStores", "JobLifecycle", "DataPlane", "SchedulerRuntime", "Scheduling",
                "FlowControl", "FleetTracking", "WireFormats",
            ],
            [nioCore, nioPosix, lifecycle, logging]),
        tests(
            "ControlPlaneTests",
            [
                "ControlPlane", "JobDispatching", "JobStores", "JobLifecycle", "DataPlane", "SchedulerRuntime",
                "Scheduling", "FlowControl", "FleetTracking", "WireFormats",
            ],
            [nioCore, nioPosix, hummingbird, logging, crypto]),
        tests(
            "AppTests",
            ["App", "DataPlane", "FleetTracking", "FlowControl", "SchedulerRuntime", "EngineModel", "Simulation"],
            [nioCore, nioPosix, nioHTTP1, arguments, logging]),
        tests("ScenarioTests", ["App"], [nioCore, nioPosix]),
        tests("TidyTests", []),
    ]
)
