using System.Runtime.Loader;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace Fusion.Tests;

/// <summary>Compiles printed kernels with the C# compiler.</summary>
internal static class Roslyn
{
    // Read once: compilations of the same references share what the compiler has made of them.
    private static readonly MetadataReference[] s_references =
        [.. ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator).Select(static p => MetadataReference.CreateFromFile(p))];

    public static Type Compile(string source, string className)
    {
        CSharpCompilation compilation = CSharpCompilation.Create(
            $"Printed{Guid.NewGuid():N}",
            [CSharpSyntaxTree.ParseText(source)],
            s_references,
            new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary, optimizationLevel: OptimizationLevel.Release, allowUnsafe: true));
        using MemoryStream image = new();
        Microsoft.CodeAnalysis.Emit.EmitResult result = compilation.Emit(image);
        Assert.True(result.Success, $"{string.Join('\n', result.Diagnostics.Take(10))}\n{source}");
        image.Position = 0;
        return AssemblyLoadContext.Default.LoadFromStream(image).GetType(className)!;
    }
}
