using System.Runtime.Loader;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace Fusion.Tests;

/// <summary>Compiles printed kernels with the C# compiler.</summary>
internal static class Roslyn
{
    public static Type Compile(string source, string className)
    {
        string[] trusted = ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator);
        CSharpCompilation compilation = CSharpCompilation.Create(
            $"Printed{Guid.NewGuid():N}",
            [CSharpSyntaxTree.ParseText(source)],
            trusted.Select(static path => MetadataReference.CreateFromFile(path)),
            new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary, optimizationLevel: OptimizationLevel.Release, allowUnsafe: true));
        using MemoryStream image = new();
        Microsoft.CodeAnalysis.Emit.EmitResult result = compilation.Emit(image);
        Assert.True(result.Success, $"{string.Join('\n', result.Diagnostics.Take(10))}\n{source}");
        image.Position = 0;
        return AssemblyLoadContext.Default.LoadFromStream(image).GetType(className)!;
    }
}
