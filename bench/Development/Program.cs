// BenchmarkDotNet suites for development: dotnet run -c Release --project bench/Development -- --filter '*Chain*'
using BenchmarkDotNet.Running;
using Fusion.Benchmarks;

BenchmarkSwitcher.FromAssembly(typeof(EagerOverhead).Assembly).Run(args);
