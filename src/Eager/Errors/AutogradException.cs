namespace Fusion;

/// <summary>The tape cannot do what was asked: nothing recorded, graph released, gradient rule missing, saved value overwritten.</summary>
public class AutogradException : InvalidOperationException
{
    /// <summary>Creates the exception without a message of its own.</summary>
    public AutogradException() { }

    /// <summary>Creates the exception with a message.</summary>
    public AutogradException(string message) : base(message) { }

    /// <summary>Creates the exception with a message and its cause.</summary>
    public AutogradException(string message, Exception innerException) : base(message, innerException) { }
}
