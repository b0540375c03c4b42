using System.Diagnostics;

namespace Fusion;

/// <summary>Where the user's code called the library. Takes a stack trace, some 20 µs: for errors and diagnostics only.</summary>
internal static class UserCode
{
    /// <summary><c>at File.cs:12</c>, or <c>in Type.Method</c> without debug symbols; null when no frame of the user's is on the stack.</summary>
    public static string? Place()
    {
        foreach (StackFrame frame in new StackTrace(true).GetFrames())
        {
            if (DiagnosticMethodInfo.Create(frame) is not { DeclaringTypeName: { } type } method) continue;
            string assembly = method.DeclaringAssemblyName.Split(',')[0];
            if (assembly is "Fusion" or "Fusion.Kernels" or "Fusion.Graph" || assembly.StartsWith("System.", StringComparison.Ordinal)) continue;
            string? file = Path.GetFileName(frame.GetFileName());
            return file is null ? $"in {type[(type.LastIndexOfAny(['.', '+']) + 1)..]}.{method.Name}" : $"at {file}:{frame.GetFileLineNumber()}";
        }

        return null;
    }
}
